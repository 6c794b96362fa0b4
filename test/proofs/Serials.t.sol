// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {Serials} from "../../contracts/registries/Serials.sol";

/// @title Serials beside a plain list
contract SerialsProperties {
    using Serials for Serials.List;

    Serials.List private _list;
    uint256[] private _plain;

    /// @notice A list of serials is the plain list, whatever is appended and removed: of every length up to 20, every
    /// number removed.
    function test_everyNumberOfShortLists() external {
        for (uint256 length = 1; length <= 20; ++length) {
            for (uint256 position = 0; position < length; ++position) {
                while (_plain.length > 0) _remove(0);
                for (uint256 i = 0; i < length; ++i) {
                    _push(Serials.MAX - i);
                }
                _remove(position);
                _compare();
            }
        }
    }

    /// @notice A list of serials is the plain list after 64 random steps.
    function test_randomSteps(uint40[64] calldata steps, uint256 removals) external {
        for (uint256 i = 0; i < 64; ++i) {
            if (_plain.length > 0 && (removals >> i) & 1 == 1) _remove(steps[i] % _plain.length);
            else _push(steps[i]);
        }
        _compare();
    }

    function _push(uint256 serial) private {
        assert(_list.push(serial) == _plain.length);
        _plain.push(serial);
    }

    function _remove(uint256 position) private {
        (uint256 removed, uint256 moved) = _list.remove(position);
        assert(removed == _plain[position] && moved == _plain[_plain.length - 1]);
        _plain[position] = moved;
        _plain.pop();
    }

    function _compare() private view {
        assert(_list.length() == _plain.length);
        for (uint256 i = 0; i < _plain.length; ++i) {
            assert(_list.serialAt(i) == _plain[i]);
        }
        for (uint256 i = 0; i < 6; ++i) {
            assert(_list.serialAt(_plain.length + i) == 0);
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {INativeEscrow} from "../../contracts/interfaces/INativeEscrow.sol";
import {ITokenEscrow} from "../../contracts/interfaces/ITokenEscrow.sol";
import {Functions} from "./Functions.sol";
import {Market} from "./Market.sol";
import {NativeChapter} from "./NativeChapter.sol";
import {StakedChapter} from "./StakedChapter.sol";
import {TokenChapter} from "./TokenChapter.sol";
import {vm} from "./Vm.sol";

/// @title Handler
/// @notice Random actors call every function of a Hub, whatever its escrow holds.
contract Handler is Market, TokenChapter, NativeChapter {
    uint256 private constant FORTUNE = 1_000_000e9;
    uint256 private constant WHALE_FORTUNE = 1 << 97;
    uint256 private constant WHALE_STAKE = 1 << 95;

    /// @param hubName Of the contract.
    /// @param isNative Whether its escrow holds the chain's own currency.
    constructor(string memory hubName, bool isNative) {
        _cast();
        if (!isNative) token = IERC20(_deploy("LocalToken", abi.encode(address(this), 2 * WHALE_FORTUNE)));
        _open(hubName, address(token));
        for (uint256 i = 0; i < ACTORS; ++i) {
            (uint256 fortune, uint256 stake) = i == WHALE ? (WHALE_FORTUNE, WHALE_STAKE) : (FORTUNE, FORTUNE / 2);
            if (isNative) _endowNative(_actors[i], fortune, stake);
            else _endow(_actors[i], fortune, stake);
            _bookMint(_actors[i], stake);
        }
        _earnScores();
    }

    /// @notice Every function of the Hub that may change something.
    function functions() public view override returns (bytes4[] memory) {
        return _isNative() ? Functions.ofHubNative() : Functions.ofHub();
    }

    /// @notice What the runner must not call: the end of a run, and the edge of the other escrow.
    function untouchables() external view returns (bytes4[] memory selectors) {
        selectors = new bytes4[](7);
        selectors[0] = this.finish.selector;
        if (_isNative()) {
            selectors[1] = this.deposit.selector;
            selectors[2] = this.depositFor.selector;
            selectors[3] = this.depositForArray.selector;
            selectors[4] = this.depositWithPermit.selector;
            selectors[5] = this.receiveApproval.selector;
            selectors[6] = this.sendUnwantedCurrency.selector;
        } else {
            selectors[1] = this.depositCurrency.selector;
            selectors[2] = this.depositCurrencyFor.selector;
            selectors[3] = this.depositCurrencyForArray.selector;
            selectors[4] = this.sendCurrency.selector;
            selectors[5] = this.multicallWithCurrency.selector;
            selectors[6] = this.payWhereNothingIsPaid.selector;
        }
    }

    function _endow(address actor, uint256 fortune, uint256 stake) private {
        token.transfer(actor, fortune);
        vm.prank(actor);
        token.approve(address(hub), type(uint256).max);
        _actIf(true, actor, abi.encodeCall(ITokenEscrow.deposit, (stake)));
    }

    function _endowNative(address actor, uint256 fortune, uint256 stake) private {
        vm.deal(actor, fortune * 1e9);
        vm.prank(actor);
        INativeEscrow(address(hub)).deposit{value: stake * 1e9}();
    }

    function _isNative() private view returns (bool) {
        return address(token) == NOBODY;
    }

    function _sendByMistake() internal override(StakedChapter, NativeChapter, TokenChapter) {
        if (_isNative()) NativeChapter._sendByMistake();
        else TokenChapter._sendByMistake();
    }

    function _custody() internal view override(StakedChapter, NativeChapter, TokenChapter) returns (uint256) {
        return _isNative() ? NativeChapter._custody() : TokenChapter._custody();
    }
}

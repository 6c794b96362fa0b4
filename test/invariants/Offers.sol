// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {AppOrder, DatasetOrder, RequestOrder, WorkerpoolOrder} from "../../contracts/types/Orders.sol";
import {TaskBook} from "./TaskBook.sol";

/// @title Offers
/// @notice Requests, and the orders that answer them: new ones, and old ones that may be closed or used up by now.
abstract contract Offers is TaskBook {
    /// @dev What the deal is for: one worker or several, an enclave, no dataset, nothing odd about it.
    struct Wishes {
        bool sole;
        bool enclave;
        bool bare;
        bool modest;
    }

    function _anyWishes() internal returns (Wishes memory) {
        return Wishes(_chance(2), _chance(2), _chance(2), _chance(2));
    }

    /// @dev Orders for a request, new or old.
    function _quad(Wishes memory wishes) internal returns (Quad memory q) {
        bool fresh = wishes.modest || _requestOrders.length == 0 || _chance(3);
        q.request = fresh ? _newRequest(wishes) : _requestOrders[_draw(_requestOrders.length)];
        fresh = wishes.modest && !_chance(12);
        q.app = fresh || !_chance(4) ? _appFor(q.request) : _oldApp(q.request);
        q.workerpool = fresh || !_chance(4) ? _workerpoolFor(q.request) : _oldWorkerpool(q.request);
        if (q.request.dataset == NOBODY) {
            // What an order for no dataset says otherwise must not matter.
            if (_chance(4)) q.dataset.datasetprice = type(uint256).max;
            return q;
        }
        q.dataset = fresh || !_chance(4) ? _datasetFor(q.request) : _oldDataset(q.request);
    }

    /* NEW */

    function _newRequest(Wishes memory wishes) private returns (RequestOrder memory o) {
        o.app = _someOf(_apps);
        if (!wishes.bare) o.dataset = _someOf(_datasets);
        o.requester = _someone();
        bool free = !wishes.modest && _chance(6);
        if (!free) {
            o.appmaxprice = wishes.modest ? _draw(5e9) : _price();
            o.datasetmaxprice = wishes.modest ? _draw(5e9) : _price();
            o.workerpoolmaxprice = wishes.modest ? _draw(50e9) : _price();
        }
        o.volume = wishes.modest ? 1 + _draw(3) : _volume(free);
        if (wishes.enclave) o.tag = bytes32(1 + 2 * _draw(8));
        if (!wishes.modest && _chance(8)) o.tag |= bytes32(uint256(256));
        o.category = wishes.modest ? _draw(2) : _draw(_timerefs.length + (_chance(30) ? 1 : 0));
        o.trust = wishes.sole ? _draw(2) : 2 + _draw(32);
        if (!wishes.modest && _chance(30)) o.trust = type(uint256).max >> _draw(250);
        _drawParties(o);
        return _makeRequest(o);
    }

    function _drawParties(RequestOrder memory o) private {
        o.beneficiary =
            _chance(3)
                ? NOBODY
                : _chance(2)
                    ? o.requester
                    : _someone();
        if (_chance(3)) o.callback = _chance(2) ? _actors[BUSYBODY] : _someone();
        if (_chance(4)) o.params = string(new bytes(_chance(20) ? MAX_PARAMS + 1000 : _draw(200)));
    }

    function _appFor(RequestOrder memory request) internal returns (AppOrder memory o) {
        o.app = request.app;
        o.appprice = _priceWithin(request.appmaxprice);
        o.volume = _volumeFor(request);
        // The app asks for an enclave exactly where the request does, but for some mistakes.
        o.tag = _chance(60) ? bytes32(_draw(2)) : request.tag & ENCLAVE;
        o.datasetrestrict = _restriction(request.dataset);
        o.requesterrestrict = _restriction(request.requester);
        return _makeApp(o);
    }

    function _datasetFor(RequestOrder memory request) internal returns (DatasetOrder memory o) {
        o.dataset = request.dataset;
        o.datasetprice = _priceWithin(request.datasetmaxprice);
        o.volume = _volumeFor(request);
        o.tag = _chance(40) ? bytes32(_draw(16)) : request.tag;
        o.apprestrict = _restriction(request.app);
        o.requesterrestrict = _restriction(request.requester);
        return _makeDataset(o);
    }

    function _workerpoolFor(RequestOrder memory request) internal returns (WorkerpoolOrder memory o) {
        o.workerpool = _someOf(_workerpools);
        o.workerpoolprice = _priceWithin(request.workerpoolmaxprice);
        o.volume = _volumeFor(request);
        o.tag = _chance(40) ? bytes32(_draw(16)) : bytes32(uint256(0xffff));
        o.category = _chance(60) ? _draw(_timerefs.length) : request.category;
        o.trust = _chance(60) ? _draw(33) : type(uint256).max;
        o.apprestrict = _restriction(request.app);
        o.datasetrestrict = _restriction(request.dataset);
        o.requesterrestrict = _restriction(request.requester);
        return _makeWorkerpool(o);
    }

    function _priceWithin(uint256 limit) private returns (uint256) {
        if (_chance(60)) return limit < type(uint256).max ? limit + 1 : limit;
        return _chance(2) ? limit : _draw(limit + 1);
    }

    /// @dev As much as the request wants, more, or less: then something is left of the request, or of this.
    function _volumeFor(RequestOrder memory request) private returns (uint256) {
        uint256 kind = _draw(4);
        if (kind == 0) return 1 + _draw(6);
        if (kind == 1 && request.volume > 1) return request.volume - 1;
        return kind == 2 ? type(uint256).max >> _draw(100) : request.volume;
    }

    /* OLD */

    function _oldApp(RequestOrder memory request) private returns (AppOrder memory) {
        uint256 start = _draw(_appOrders.length + 1);
        for (uint256 i = start; i < _appOrders.length && i < start + 8; ++i) {
            if (_appOrders[i].app == request.app) return _appOrders[i];
        }
        return _appFor(request);
    }

    function _oldDataset(RequestOrder memory request) private returns (DatasetOrder memory) {
        uint256 start = _draw(_datasetOrders.length + 1);
        for (uint256 i = start; i < _datasetOrders.length && i < start + 8; ++i) {
            if (_datasetOrders[i].dataset == request.dataset) return _datasetOrders[i];
        }
        return _datasetFor(request);
    }

    function _oldWorkerpool(RequestOrder memory request) private returns (WorkerpoolOrder memory) {
        uint256 start = _draw(_workerpoolOrders.length + 1);
        for (uint256 i = start; i < _workerpoolOrders.length && i < start + 8; ++i) {
            if (_workerpoolOrders[i].category == request.category) return _workerpoolOrders[i];
        }
        return _workerpoolFor(request);
    }
}
